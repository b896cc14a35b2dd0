"""The parameters of multiplatform phones: which there are, and which values they take."""
