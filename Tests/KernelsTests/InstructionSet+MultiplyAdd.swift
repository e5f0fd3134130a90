import Kernels

extension InstructionSet {
  /// Whether a multiply-add of the set rounds once.
  var fusesMultiplyAdd: Bool {
    #if arch(arm64)
      true
    #else
      self != .baseline
    #endif
  }
}
