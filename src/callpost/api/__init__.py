"""The dialects of other systems: their documents to tables of a configuration, and back.

Pure: bytes and tables come in and go out. Each system has one file, and none knows another;
whether a table can be used is for the configuration's own rules to say.
"""
