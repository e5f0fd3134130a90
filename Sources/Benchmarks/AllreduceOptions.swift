import Collective
import MPI

/// What `lockstep bench allreduce` is asked to measure.
public struct AllreduceOptions: Equatable, Sendable {
  /// How ranks of one node may meet.
  public enum TransportChoice: String, CaseIterable, Sendable {
    /// As training does it.
    case auto
    /// By messages alone, as if every rank had a node of its own.
    case mpi
  }

  /// Whether the numbers are in the cache when a call begins.
  public enum Buffers: String, CaseIterable, Sendable {
    /// Buffers take turns, together more than twice the last-level cache.
    case rotating
    /// The same buffer every time.
    case cached
  }

  public var sizes: SizeRange
  public var types: [ElementType]
  public var reductions: [ReductionChoice]
  /// Beside the group's own choice, which always takes part.
  public var methods: [AllreduceMethod]
  public var transport: TransportChoice
  public var rivals: MPIRivals
  public var buffers: Buffers
  /// Seconds to measure one size for.
  public var budget: Double
  /// Whether the fastest methods are wanted as a table.
  public var tunes: Bool
  /// Whether times are predicted too.
  public var predicts: Bool
  /// Whether a group takes part, too, whose ranks do not compare their calls.
  public var skipsChecks: Bool

  public init(
    sizes: SizeRange, types: [ElementType], reductions: [ReductionChoice],
    methods: [AllreduceMethod], transport: TransportChoice, rivals: MPIRivals,
    buffers: Buffers, budget: Double, tunes: Bool, predicts: Bool, skipsChecks: Bool
  ) {
    self.sizes = sizes
    self.types = types
    self.reductions = reductions
    self.methods = methods
    self.transport = transport
    self.rivals = rivals
    self.buffers = buffers
    self.budget = budget
    self.tunes = tunes
    self.predicts = predicts
    self.skipsChecks = skipsChecks
  }

  /// What of it cannot be measured, in words; empty if everything can.
  public var faults: [String] {
    var faults: [String] = []
    for type in types where sizes.sizes(stride: type.byteCount).isEmpty {
      faults.append("--sizes \(sizes.text): no element of \(type) fits")
    }
    if !(budget > 0 && budget <= 3600) {
      faults.append("--budget: more than 0, at most 3600 seconds")
    }
    if tunes && (types.count > 1 || reductions.count > 1) {
      faults.append("--tune: a table is of one type and one reduction")
    }
    if tunes && methods.count < AllreduceMethod.allCases.count {
      faults.append("--tune: a table is made of all algorithms: leave out --algorithms")
    }
    if tunes && skipsChecks {
      faults.append("--tune: a table is made of calls that are compared: leave out --unchecked")
    }
    if predicts && buffers == .rotating {
      faults.append(
        "--predict: links are measured with buffers that stay the same: --buffers cached")
    }
    return faults
  }

  /// Settings of Open MPI that the measurement needs, for `Session.run`.
  public var sessionParameters: [String: String] {
    rivals == .all ? TunedAllreduce.sessionParameters : [:]
  }

  /// The same as words of a command line, every value included.
  public var words: [String] {
    var words = ["--sizes", sizes.text, "--types", list(types), "--ops", list(reductions)]
    if !methods.isEmpty { words += ["--algorithms", list(methods)] }
    words += ["--transport", transport.rawValue, "--against", rivals.rawValue]
    words += ["--buffers", buffers.rawValue, "--budget", number(budget)]
    return words + (predicts ? ["--predict"] : []) + (skipsChecks ? ["--unchecked"] : [])
  }

  private func number(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }

  private func list<Value: RawRepresentable<String>>(_ values: [Value]) -> String {
    values.map(\.rawValue).joined(separator: ",")
  }
}
