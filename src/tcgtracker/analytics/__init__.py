"""Pure functions over price series. In: values of days. Out: exact statistics."""
