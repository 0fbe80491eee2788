"""Tables, engines, transactions. In: a URL. Out: connections; no rule of the trade lives here."""
