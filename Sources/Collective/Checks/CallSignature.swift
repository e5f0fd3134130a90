/// What all ranks must call alike: a collective with its element count, type, operation and
/// algorithm, in one word that ranks exchange.
struct CallSignature: Equatable {
  enum Collective: UInt64 {
    case allreduce, reduceScatter, allgather, broadcast, reduce, sumOfPlanes, allocate

    var name: String {
      switch self {
      case .reduceScatter: "reduce-scatter"
      case .sumOfPlanes: "sum of planes"
      default: "\(self)"
      }
    }

    var hasRoot: Bool { self == .broadcast || self == .reduce }

    var isReduction: Bool {
      switch self {
      case .allreduce, .reduceScatter, .reduce, .sumOfPlanes: true
      case .allgather, .broadcast, .allocate: false
      }
    }
  }

  /// | collective: 3 bits | type: 3 | reduction: 6 | algorithm: 3 | root: 14 | count: 35 |
  ///
  /// Where there is no root, its bits are the rest of a reduction's number.
  let word: UInt64

  init(word: UInt64) { self.word = word }

  /// - Parameters:
  ///   - reduction: nil where nothing is reduced.
  ///   - algorithm: its number among the collective's own, if it has any.
  init<Element: Reducible>(
    _ collective: Collective, _ type: Element.Type, reduction: Reduction<Element>?,
    algorithm: Int = 0, root: Int = 0, count: Int
  ) {
    var word = collective.rawValue
    word = word << 3 | CallSignature.number(of: Element.elementType)
    let number = reduction?.number ?? 0
    word = word << 6 | number & 0x3f
    word = word << 3 | UInt64(algorithm)
    word = word << 14 | (collective.hasRoot ? UInt64(root) & 0x3fff : number >> 6)
    self.word = word << 35 | UInt64(count) & (1 << 35 - 1)
  }

  private static func number(of type: ElementType) -> UInt64 {
    switch type {
    case .float32: 0
    case .float64: 1
    case .float16: 2
    case .bfloat16: 3
    case .int32: 4
    case .int64: 5
    }
  }

  var collective: Collective? { Collective(rawValue: word >> 61) }
  var type: ElementType? {
    ElementType.allCases.first { CallSignature.number(of: $0) == word >> 58 & 7 }
  }
  var reduction: UInt64 {
    word >> 52 & 0x3f | (collective?.hasRoot == false ? (word >> 35 & 0x3fff) << 6 : 0)
  }
  var algorithm: String? {
    let names: [String] =
      switch collective {
      case .allreduce, .sumOfPlanes: AllreduceMethod.allCases.map(\.rawValue)
      case .reduceScatter: ReduceScatterAlgorithm.allCases.map(\.rawValue)
      case .allgather: AllgatherAlgorithm.allCases.map(\.rawValue)
      case .broadcast: BroadcastAlgorithm.allCases.map(\.rawValue)
      case .reduce: ReduceAlgorithm.allCases.map(\.rawValue)
      case .allocate, nil: []
      }
    let number = Int(word >> 49 & 7)
    return names.indices.contains(number) ? names[number] : nil
  }
  var root: Int { Int(word >> 35 & 0x3fff) }
  var count: Int { Int(word & (1 << 35 - 1)) }
}

extension CaseIterable where Self: Equatable, AllCases == [Self] {
  /// Its place among all cases.
  var number: Int { Self.allCases.firstIndex(of: self)! }
}

extension CallSignature: CustomStringConvertible {
  var description: String {
    var operands = ["\(count) x \(type?.rawValue ?? "unknown")"]
    if collective?.isReduction != false {
      operands.append(Reduction<Float>.name(ofNumber: reduction))
    }
    if collective?.hasRoot == true { operands.append("root \(root)") }
    let call = "\(collective?.name ?? "unknown")(\(operands.joined(separator: ", ")))"
    return collective == .allocate ? call : "\(call) by \(algorithm ?? "unknown")"
  }
}

/// Two ranks made different calls where all must make the same.
public struct CallMismatch: Error, CustomStringConvertible {
  /// The ranks, and what each of them called.
  public let ranks: (Int, Int)
  let calls: (CallSignature, CallSignature)

  init(_ rank: Int, _ call: UInt64, _ otherRank: Int, _ otherCall: UInt64) {
    ranks = (rank, otherRank)
    calls = (CallSignature(word: call), CallSignature(word: otherCall))
  }

  public var description: String {
    "rank \(ranks.0) called \(calls.0), but rank \(ranks.1) called \(calls.1): all ranks must make the "
      + "same calls in the same order"
  }
}
