import Foundation
import Testing

/// How much is tried. `swift test` is for every day: of what takes long it tries fewer cases, and leaves
/// out tests that others come close to. `./run.sh test` runs all.
public enum Thoroughness {
  public static let isFull = ProcessInfo.processInfo.environment["LOCKSTEP_TEST_ALL"] != nil

  public static func cases<Cases>(_ full: Cases, everyday: Cases) -> Cases {
    isFull ? full : everyday
  }
}

extension Trait where Self == ConditionTrait {
  /// Not for every day.
  public static var thorough: Self {
    .enabled(if: Thoroughness.isFull, "takes long: ./run.sh test, or LOCKSTEP_TEST_ALL=1")
  }
}
