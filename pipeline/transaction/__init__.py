"""A folder changed as a whole: held alone by one run, and replaced at once or not at all.

    with exclusive(root), replacing(root) as copy:
        ...  # read and change ``copy``

Whenever the process is killed, ``root`` holds the old files or the new ones. What it leaves beside the folder (see
``replace``) the next ``exclusive`` clears away. ``root`` and all that is below it must be written under one lock:
``exclusive`` of a folder keeps nobody from holding a folder in it.
"""
