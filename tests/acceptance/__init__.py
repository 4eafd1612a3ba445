"""The whole loop against real mail software, in a network namespace of its own."""
