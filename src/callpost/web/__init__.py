"""What every HTTP door of callpost is made of: operations, what was asked, problem documents.

It knows the model and Starlette; what an operation does is handed in.
"""
