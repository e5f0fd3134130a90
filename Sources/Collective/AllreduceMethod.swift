/// How an allreduce is run.
public enum AllreduceMethod: Hashable, Sendable {
  /// Through messages between all ranks.
  case schedule(AllreduceAlgorithm)
  /// Through the memory that the ranks of a node share, and between nodes through a schedule among one
  /// rank of each. Without shared memory: through messages.
  case hierarchical

  /// `hierarchical`, or an algorithm's name.
  public init?(name: String) {
    if name == "hierarchical" {
      self = .hierarchical
    } else if let algorithm = AllreduceAlgorithm(rawValue: name) {
      self = .schedule(algorithm)
    } else {
      return nil
    }
  }

  public var name: String {
    switch self {
    case .schedule(let algorithm): algorithm.rawValue
    case .hierarchical: "hierarchical"
    }
  }

  public static let allNames = AllreduceAlgorithm.allCases.map(\.rawValue) + ["hierarchical"]
}
