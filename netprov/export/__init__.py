"""A plan as complete configurations of other servers, and what of it they cannot say."""
