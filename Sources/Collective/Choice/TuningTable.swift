import Foundation

/// For each size class, the method that was measured to be the fastest on a cluster: a JSON file
/// that `lockstep bench allreduce --tune` writes and later runs read.
public struct TuningTable: Equatable, Sendable {
  /// What it was measured on, as far as it decides whether the table holds elsewhere.
  public struct Conditions: Equatable, Sendable, Codable {
    /// Ranks in all, and of each node.
    public var ranks: Int
    public var ranksPerNode: [Int]
    /// Whether ranks of a node met in shared memory.
    public var sharesMemory: Bool
    public var mpi: String
    public var kernels: String
    /// Bytes of an element.
    public var elementWidth: Int

    public init(
      ranks: Int, ranksPerNode: [Int], sharesMemory: Bool, mpi: String, kernels: String,
      elementWidth: Int
    ) {
      self.ranks = ranks
      self.ranksPerNode = ranksPerNode
      self.sharesMemory = sharesMemory
      self.mpi = mpi
      self.kernels = kernels
      self.elementWidth = elementWidth
    }

    enum CodingKeys: String, CodingKey {
      case ranks
      case ranksPerNode = "ranks-per-node"
      case sharesMemory = "shared-memory"
      case mpi
      case kernels
      case elementWidth = "element-width"
    }

    /// Why a table of these conditions says nothing of a group, in words; nil if it does. Another
    /// MPI, other kernels and wider elements change times, and hardly their order.
    func mismatch(nodes: NodeMap, sharesMemory: Bool) -> String? {
      let counts = nodes.nodes.map(\.count)
      if counts != ranksPerNode {
        return "it is of \(Conditions.text(ranksPerNode)), and here are \(Conditions.text(counts))"
      }
      if sharesMemory != self.sharesMemory {
        return self.sharesMemory
          ? "its ranks shared memory, and here they do not"
          : "its ranks exchanged messages only, and here they share memory"
      }
      return nil
    }

    private static func text(_ ranksPerNode: [Int]) -> String {
      func plural(_ count: Int, _ word: String) -> String {
        "\(count) \(word)\(count == 1 ? "" : "s")"
      }
      let total = ranksPerNode.reduce(0, +)
      var text = plural(total, "rank") + " on " + plural(ranksPerNode.count, "node")
      if Set(ranksPerNode).count > 1 {
        text += " (\(ranksPerNode.map(String.init).joined(separator: " + ")))"
      }
      return text
    }
  }

  /// The fastest for buffers of at least so many bytes.
  public struct Entry: Equatable, Sendable {
    public var bytes: Int
    public var method: AllreduceMethod
    /// Measured, at that size.
    public var microseconds: Double

    public init(bytes: Int, method: AllreduceMethod, microseconds: Double) {
      self.bytes = bytes
      self.method = method
      self.microseconds = microseconds
    }
  }

  public var conditions: Conditions
  /// Of methods that follow the canonical tree, ascending in bytes.
  public var canonical: [Entry]
  /// Of all methods, ascending in bytes.
  public var anyOrder: [Entry]

  /// - Precondition: there is an entry in both lists, and sizes ascend.
  public init(conditions: Conditions, canonical: [Entry], anyOrder: [Entry]) {
    for entries in [canonical, anyOrder] {
      precondition(!entries.isEmpty)
      precondition(zip(entries, entries.dropFirst()).allSatisfy { $0.bytes < $1.bytes })
    }
    self.conditions = conditions
    self.canonical = canonical
    self.anyOrder = anyOrder
  }

  /// The entry of the largest size that is not above the class; the first one below that.
  func entry(for sizeClass: SizeClass, canonical isCanonical: Bool) -> Entry {
    let entries = isCanonical ? canonical : anyOrder
    return entries.last { SizeClass(bytes: $0.bytes).exponent <= sizeClass.exponent } ?? entries[0]
  }
}
