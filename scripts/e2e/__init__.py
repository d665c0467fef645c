"""The packaged stack in the embedded AWS, driven through HTTP as its users drive it."""
