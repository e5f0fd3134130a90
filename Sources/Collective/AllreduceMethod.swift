/// How an allreduce is run.
public enum AllreduceMethod: Hashable, Sendable {
  /// Through messages between all ranks.
  case schedule(AllreduceAlgorithm)
  /// Through the memory that the ranks of a node share, and between nodes - also where each has one
  /// rank - piece by piece through a schedule among one rank of each. Through messages where there
  /// is no shared memory, or where it would not follow the canonical tree and must.
  case hierarchical
}

extension AllreduceMethod: RawRepresentable, CaseIterable {
  public static let allCases: [Self] =
    AllreduceAlgorithm.allCases.map(Self.schedule) + [.hierarchical]

  /// An algorithm's name, or `hierarchical`.
  public init?(rawValue: String) {
    if rawValue == "hierarchical" {
      self = .hierarchical
    } else if let algorithm = AllreduceAlgorithm(rawValue: rawValue) {
      self = .schedule(algorithm)
    } else {
      return nil
    }
  }

  /// Its place among all cases. (Of this very type, it is specialized in every build.)
  var number: Int { AllreduceMethod.allCases.firstIndex(of: self)! }

  public var rawValue: String {
    switch self {
    case .schedule(let algorithm): algorithm.rawValue
    case .hierarchical: "hierarchical"
    }
  }
}
