import CCPU

/// Runs `body` in a mode of this thread in which numbers below the least normal one (1.2e-38 in
/// Float) count as zero, operands and results alike; afterwards the thread is as it was.
///
/// For training. The momentum of a weight whose gradient has become 0 shrinks by a factor in each
/// step until it is subnormal, and stays there: 0.9 times the fourth smallest number rounds to the
/// fourth smallest number. A CPU takes some hundred cycles for an instruction on such a number, and
/// ever more steps would have ever more of them.
///
/// The mode holds for the kernels that `body` calls, for the threads that a `KernelSet` has, and for
/// threads that are started within `body`. Ranks that are to have the same bits have to be in the
/// same mode.
public func flushingSubnormals<Result, Failure: Error>(
  _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  let control = CCPU_floatControl()
  CCPU_setFloatControl(CCPU_flushingSubnormals(control))
  defer { CCPU_setFloatControl(control) }
  return try body()
}
