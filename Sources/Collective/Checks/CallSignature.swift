/// What all ranks must call alike: a collective with its element count, type and operation, in one word
/// that ranks exchange.
struct CallSignature: Equatable {
  enum Collective: UInt64, CaseIterable {
    case allreduce, reduceScatter, allgather, broadcast, reduce

    var name: String {
      switch self {
      case .reduceScatter: "reduce-scatter"
      default: "\(self)"
      }
    }
  }

  var collective: Collective
  var type: ElementType
  /// The reduction's name; empty where nothing is reduced. Custom ones are compared by a hash of it.
  var reduction: UInt64
  var root: Int
  var count: Int

  init(_ collective: Collective, _ type: ElementType, reduction: String, root: Int, count: Int) {
    self.collective = collective
    self.type = type
    let known = CallSignature.reductions.firstIndex(of: reduction)
    self.reduction = known.map(UInt64.init) ?? 32 + CallSignature.hash(reduction) % 32
    self.root = root
    self.count = count
  }

  /// | collective: 3 bits | type: 3 | reduction: 6 | root: 14 | count: 38 |
  var word: UInt64 {
    var word = collective.rawValue
    word = word << 3 | UInt64(ElementType.allCases.firstIndex(of: type)!)
    word = word << 6 | reduction
    word = word << 14 | UInt64(root) & 0x3fff
    return word << 38 | UInt64(count) & (1 << 38 - 1)
  }

  init(word: UInt64) {
    count = Int(word & (1 << 38 - 1))
    root = Int(word >> 38 & 0x3fff)
    reduction = word >> 52 & 0x3f
    type = ElementType.allCases[min(Int(word >> 58 & 7), ElementType.allCases.count - 1)]
    collective = Collective(rawValue: word >> 61) ?? .allreduce
  }

  private static let reductions = ["", "sum", "average", "minimum", "maximum", "product"]

  /// FNV-1a: the same on every rank, unlike `Hasher`.
  private static func hash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}

extension CallSignature: CustomStringConvertible {
  var description: String {
    let operation =
      reduction < UInt64(CallSignature.reductions.count)
      ? CallSignature.reductions[Int(reduction)] : "custom reduction \(reduction)"
    let root = collective == .broadcast || collective == .reduce ? ", root \(root)" : ""
    return "\(collective.name)(\(count) x \(type.rawValue)"
      + (operation.isEmpty ? "" : ", \(operation)") + "\(root))"
  }
}

/// Two ranks made different calls where all must make the same.
public struct CallMismatch: Error, CustomStringConvertible {
  /// The ranks, and what each of them called.
  public let ranks: (Int, Int)
  let calls: (CallSignature, CallSignature)

  public var description: String {
    "rank \(ranks.0) called \(calls.0), but rank \(ranks.1) called \(calls.1): all ranks must make the "
      + "same calls in the same order"
  }
}
