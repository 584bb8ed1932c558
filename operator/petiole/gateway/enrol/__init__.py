"""Enrolment: a one-time token becomes a certificate, which the device renews by itself."""
