import java.io.IOException;
import java.net.ProtocolFamily;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.channels.Channel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.util.Set;
import sun.nio.ch.DefaultSelectorProvider;

/**
 * Has a server that would listen on every address serve the socket that it was given as its
 * standard input: bound by whoever started it, to an address and a port of their choice.
 *
 * <p>DynamoDB Local has no option for the address. This is the JDK's own way in
 * (-Djava.nio.channels.spi.SelectorProvider) and knows nothing of the server.
 */
public final class GivenSocket extends SelectorProvider {
  private final SelectorProvider usual = DefaultSelectorProvider.get();

  @Override
  public ServerSocketChannel openServerSocketChannel() throws IOException {
    if (usual.inheritedChannel() instanceof ServerSocketChannel given) {
      return new Bound(given);
    }
    throw new IOException("standard input is not a listening socket");
  }

  @Override
  public Channel inheritedChannel() throws IOException {
    return usual.inheritedChannel();
  }

  @Override
  public DatagramChannel openDatagramChannel() throws IOException {
    return usual.openDatagramChannel();
  }

  @Override
  public DatagramChannel openDatagramChannel(ProtocolFamily family) throws IOException {
    return usual.openDatagramChannel(family);
  }

  @Override
  public Pipe openPipe() throws IOException {
    return usual.openPipe();
  }

  @Override
  public AbstractSelector openSelector() throws IOException {
    return usual.openSelector();
  }

  @Override
  public SocketChannel openSocketChannel() throws IOException {
    return usual.openSocketChannel();
  }

  /** The given socket; it takes no other address. */
  private static final class Bound extends ServerSocketChannel {
    private final ServerSocketChannel given;

    Bound(ServerSocketChannel given) {
      super(given.provider());
      this.given = given;
    }

    @Override
    public ServerSocketChannel bind(SocketAddress ignored, int backlog) {
      return this;
    }

    @Override
    public SocketChannel accept() throws IOException {
      return given.accept();
    }

    @Override
    public ServerSocket socket() {
      return given.socket();
    }

    @Override
    public SocketAddress getLocalAddress() throws IOException {
      return given.getLocalAddress();
    }

    @Override
    public <T> ServerSocketChannel setOption(SocketOption<T> name, T value) throws IOException {
      given.setOption(name, value);
      return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
      return given.getOption(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
      return given.supportedOptions();
    }

    @Override
    protected void implCloseSelectableChannel() throws IOException {
      given.close();
    }

    @Override
    protected void implConfigureBlocking(boolean block) throws IOException {
      given.configureBlocking(block);
    }
  }
}
