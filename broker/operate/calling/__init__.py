"""What an operator writes before a call or an event is sent: templates, variables, history, collections, copies."""
