"""A Siamese photo ranker: of two photos of one scene, which would people keep?

Importing this package loads neither torch nor torchvision; `python -m trainer --help` explains the program.
"""
