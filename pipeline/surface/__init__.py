"""The words: the shapes of every artifact, and identity and order of their units, once.

Shapes are strict ``msgspec.Struct`` types. The JSON Schemas are generated from them, keys are written in
the order in which they are declared here, and an optional key that is absent stays absent.
"""
