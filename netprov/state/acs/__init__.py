"""What the ACS keeps."""
