import Kernels

/// What `lockstep bench kernels` is asked to measure.
public struct KernelOptions: Equatable, Sendable {
  public var instructions: [InstructionSet]
  /// Part of `group/kernel shape`; nil for every kernel.
  public var pattern: String?
  /// Seconds for each kernel and shape.
  public var budget: Double

  public init(instructions: [InstructionSet], pattern: String?, budget: Double) {
    self.instructions = instructions
    self.pattern = pattern
    self.budget = budget
  }

  /// What of it cannot be measured, in words; empty if everything can.
  public var faults: [String] {
    var faults: [String] = []
    for set in instructions where !set.isSupported {
      faults.append("--kernels: this CPU has no \(set)")
    }
    if let pattern, cases(BenchmarkMachine.ownCaches).isEmpty {
      let groups = KernelGroup.allCases.map(\.rawValue).joined(separator: ", ")
      faults.append("--only: '\(pattern)' is in no kernel's name; groups are \(groups)")
    }
    if !(budget > 0 && budget <= 60) {
      faults.append("--budget: more than 0, at most 60 seconds")
    }
    return faults
  }

  /// Those that the pattern leaves.
  func cases(_ caches: [Int]) -> [KernelCase] {
    KernelCase.all(KernelSizes(caches: caches)).filter { one in
      pattern.map { one.name.contains($0) } ?? true
    }
  }
}
