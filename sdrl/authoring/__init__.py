"""Writing a spec with a person: what the terminal app, a script and a test all drive.

One way in: every key, click, slash command, palette entry and line of a script is an event (``events``), and
``reducer`` makes the next ``state`` of it. Reading order: ``events``, ``state``, ``effects`` (what is to be done
outside), ``actions`` (the one table of commands), ``reducer``, ``commands``, ``interview``, ``propose`` and ``cards``,
then ``services`` (does the effects), ``journal`` and ``script`` (the same events from a file), ``workbench`` (all of it
together). Knows nothing of terminals.
"""
