"""How people and files write a flag: Pydantic shapes at the doors, and their way to and from the domain."""
