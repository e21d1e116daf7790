"""The receiving end of Infor ION's messaging service: what ION calls, and what becomes of its messages."""
