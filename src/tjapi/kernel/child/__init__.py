"""Warm children: processes in which whatever comes from outside is read, with limits on time and memory, and which can be killed.

A thread cannot be ended and an event loop that reads serves nobody: a message or a file that is too much for us must cost a process that
holds nothing. A child is a fresh interpreter without our environment (no keys, no passwords); what it answers is data of named classes.
"""
