"""What can be done: one function per sentence a user could say. Each opens its own transaction and commits it."""
