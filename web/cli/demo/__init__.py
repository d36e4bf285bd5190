"""The demo: a migration lived in minutes, between two real backends. The only place where server and SDK meet."""
