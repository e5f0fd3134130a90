import Testing

/// What starts mpirun to work: one after the other, since each takes all the cores there are.
@Suite(.serialized) struct ProductTests {}

/// What starts mpirun to be refused, one after the other. It waits more than it works, for Open MPI
/// to end what is left of a job, and goes on beside `ProductTests`.
@Suite(.serialized) struct RefusalTests {}
