import Testing

/// What starts mpirun to work: one after the other, since each takes all the cores there are.
@Suite(.serialized, .ahead) struct ProductTests {}

/// What starts mpirun to be refused, one after the other. It waits more than it works, for Open MPI
/// to end what is left of a job, and goes on beside `ProductTests`.
@Suite(.serialized) struct RefusalTests {}

/// Runs a suite at high priority, so that each of its tests is scheduled before tests that were
/// queued earlier: for a long row of tests that mostly wait for other processes.
private struct AheadTrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withoutActuallyEscaping(function) { function in
      try await Task(priority: .high) { try await function() }.value
    }
  }
}

extension Trait where Self == AheadTrait {
  fileprivate static var ahead: Self { AheadTrait() }
}
