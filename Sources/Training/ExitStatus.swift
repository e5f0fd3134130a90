import Collective
import Datasets
import Kernels
import NN

/// Exit codes, as in sysexits.h; what scripts rely on.
public enum ExitStatus {
  public static let success: Int32 = 0
  /// Command line or configuration.
  public static let usage: Int32 = 64
  public static let badData: Int32 = 65
  public static let missingInput: Int32 = 66
  /// MPI, or a rank, is not available.
  public static let unavailable: Int32 = 69
  public static let internalFault: Int32 = 70
  public static let cannotWrite: Int32 = 73
  public static let inputOutput: Int32 = 74
  /// Asked to stop; the state is saved, and the same call with `--resume auto` goes on.
  public static let interrupted: Int32 = 75
  /// NaN, or replicas that differ.
  public static let diverged: Int32 = 76

  /// The code for an error of this module or one below it.
  public static func of(_ error: any Error) -> Int32 {
    switch error {
    case let failure as RankFailure: of(failure.cause)
    case let error as TrainingError: error.exitCode
    case is ConfigurationError, is UnusableInstructionSet, is ShapeError,
      is SparseInputError, is NetworkTooLarge:
      usage
    case is UnreadableConfiguration: missingInput
    case is UnknownWord: badData
    case let error as TensorFileFault: error.exitCode
    case is RankMissing: unavailable
    case let error as TuningTableError:
      switch error.kind {
      case .missing: missingInput
      case .malformed: badData
      case .unreadable: inputOutput
      }
    case let error as DatasetError:
      switch error.kind {
      case .missing: missingInput
      case .malformed: badData
      case .unreadable: inputOutput
      }
    default: internalFault
    }
  }
}

/// A run that cannot start, go on, or end well.
public struct TrainingError: Error, CustomStringConvertible {
  public var exitCode: Int32
  public var description: String

  public init(_ exitCode: Int32, _ description: String) {
    self.exitCode = exitCode
    self.description = description
  }
}
