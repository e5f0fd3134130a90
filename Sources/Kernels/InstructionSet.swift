import CCPU

/// The instruction sets that kernels are compiled for, from the oldest to the newest.
public enum InstructionSet: String, CaseIterable, Sendable, Comparable {
  /// SSE2 on x86-64, NEON on arm64: what every CPU of the architecture has.
  case baseline
  /// AVX2 with fused multiply-add (Haswell, 2013; Zen, 2017).
  case avx2
  /// AVX-512 F, VL, BW and DQ (Skylake-SP, 2017; Zen 4, 2022).
  case avx512

  /// Whether this CPU, and the operating system on it, can execute the set.
  public var isSupported: Bool {
    switch self {
    case .baseline: true
    case .avx2: CCPU_hasAVX2()
    case .avx512: CCPU_hasAVX512()
    }
  }

  public static var supported: [InstructionSet] { allCases.filter(\.isSupported) }

  /// The set named by `LOCKSTEP_KERNELS` in `environment`, or else the newest that this CPU has.
  /// - Throws: `UnusableInstructionSet` if the name is unknown or the CPU lacks the set.
  public static func selected(by environment: [String: String]) throws -> InstructionSet {
    guard let name = environment["LOCKSTEP_KERNELS"], !name.isEmpty else { return supported.last! }
    guard let set = InstructionSet(rawValue: name), set.isSupported else {
      throw UnusableInstructionSet(name: name)
    }
    return set
  }

  public static func < (a: InstructionSet, b: InstructionSet) -> Bool {
    allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
  }
}

/// `LOCKSTEP_KERNELS` asks for kernels that do not exist or that this CPU cannot execute.
public struct UnusableInstructionSet: Error, CustomStringConvertible {
  public var name: String

  public var description: String {
    let usable = InstructionSet.supported.map(\.rawValue).joined(separator: ", ")
    return InstructionSet(rawValue: name) == nil
      ? "LOCKSTEP_KERNELS=\(name): no such kernel set; this CPU can run \(usable)"
      : "LOCKSTEP_KERNELS=\(name): this CPU has no \(name); it can run \(usable)"
  }
}
