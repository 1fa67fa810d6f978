"""The process itself: its working folders, and its garbage collection."""
