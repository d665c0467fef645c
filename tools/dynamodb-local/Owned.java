/** Runs a program for as long as the process that started it lives: {@code Owned main-class …}. */
public final class Owned {
  private static final long LOOK_MILLISECONDS = 1000;

  private Owned() {}

  public static void main(String[] arguments) throws Exception {
    long owner = Long.getLong("owner");
    Thread watch = new Thread(() -> watch(owner), "owner");
    watch.setDaemon(true);
    watch.start();
    String[] rest = java.util.Arrays.copyOfRange(arguments, 1, arguments.length);
    Class.forName(arguments[0]).getMethod("main", String[].class).invoke(null, (Object) rest);
  }

  private static void watch(long owner) {
    while (ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L) == owner) {
      try {
        Thread.sleep(LOOK_MILLISECONDS);
      } catch (InterruptedException stopped) {
        return;
      }
    }
    System.exit(0);
  }
}
