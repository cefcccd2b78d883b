"""The learning library: codemods, a linter and templates that other projects can take over.

``assets`` names them all and is what the index is made of; a new asset is one row there, with its module or file.
"""
