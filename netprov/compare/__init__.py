"""The same clients asked of two servers: what they ask, how answers are judged, what is told of it."""
