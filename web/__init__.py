"""The face: a JSON API for machines, pages for people, an edge for SDKs, a shell for operators.

edge     what services poll and report to: plain ASGI, no Flask
api      the management doors for machines
ui       the pages for people
cli      the shell, and what starts the rest
"""
