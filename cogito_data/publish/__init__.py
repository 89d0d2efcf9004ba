"""`cogito-data publish`: a finished build to the Hub, in one commit that readers see whole or not at all.

`command` is what the user runs; `facts` reads the build, `assemble` makes what is to be on the Hub (with `card` and
`croissant`), `plan` compares it with what is there, `upload` sends the difference, `readback` checks it.
"""
