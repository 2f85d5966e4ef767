"""The real desk as a process, used through the sandbox's control interface."""
