"""Alembic's versions of the schema: one idea each, up and down, on SQLite and PostgreSQL."""
