"""Laws are looked for at the pace of the machine: how long an example takes says nothing about the program."""

from hypothesis import HealthCheck, settings

settings.register_profile("any pace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any pace")
