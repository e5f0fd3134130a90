import Testing

/// Everything that starts mpirun: one after the other, since each takes all the cores there are.
@Suite(.serialized) struct ProductTests {}
