"""What is kept on disk, one writer each."""
