import Foundation
import TestSupport
import Testing

@testable import Experiments

/// A stand-in for mpirun: a script of that name, first in PATH.
@Suite("a job under mpirun")
struct LaunchedJobTests {
  private func run(
    _ script: String, then act: (LaunchedJob) -> Void = { _ in }
  ) throws -> (code: Int32, output: String, errors: String) {
    let folder = try TemporaryDirectory()
    let path = try folder.file("mpirun", "#!/bin/sh\n" + script)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    let output = try folder.file("output", "")
    let errors = try folder.file("errors", "")
    let job = try LaunchedJob(
      Launch(ranks: 2, command: ["x"]),
      on: Machine(cores: 2, isRoot: false, allowsCrossMemoryAttach: true),
      environment: ["PATH": folder.path + ":/usr/bin:/bin"],
      output: FileHandle(forWritingAtPath: output), errors: FileHandle(forWritingAtPath: errors)!)
    act(job)
    let code = job.wait()
    return (
      code, try String(contentsOfFile: output, encoding: .utf8),
      try String(contentsOfFile: errors, encoding: .utf8)
    )
  }

  private static let block = """
    rule=$(printf -- '-%.0s' $(seq 74))
    echo "error: why" >&2
    printf '%s\\n' "$rule" "mpirun detected that one or more processes exited with non-zero status" \
    "$rule" >&2

    """

  @Test("a rank's exit code is the job's, and speaks for itself")
  func explained() throws {
    let result = try run(LaunchedJobTests.block + "echo out; exit 65")
    #expect(result.code == 65)
    #expect(result.output == "out\n")
    #expect(result.errors == "error: why\n")
  }

  @Test("mpirun's own failures are 69, with all it has to say", arguments: [1, 137, 255])
  func unexplained(status: Int) throws {
    let result = try run(LaunchedJobTests.block + "exit \(status)")
    #expect(result.code == 69)
    #expect(result.errors.contains("mpirun detected"))
  }

  @Test("success is success, and a last line without an end arrives")
  func success() throws {
    let result = try run("printf 'warning: half' >&2")
    #expect(result.code == 0)
    #expect(result.errors == "warning: half\n")
  }

  @Test(
    "a signal that ends mpirun is told by the exit code", arguments: [SIGTERM, SIGKILL, SIGQUIT])
  func signal(_ number: Int32) throws {
    let result = try run("kill -\(number) $$; sleep 5")
    #expect(result.code == 128 + number)
  }

  @Test("without mpirun the error says what to install")
  func missing() {
    #expect(throws: LaunchError.self) {
      _ = try LaunchedJob(
        Launch(ranks: 1, command: ["x"]),
        on: Machine(cores: 1, isRoot: false, allowsCrossMemoryAttach: true),
        environment: ["PATH": "/nowhere"])
    }
    #expect("\(LaunchError(reason: "not found"))".contains("openmpi-bin"))
  }

  @Test("ranks are asked to end by SIGUSR1, and made to by a second SIGINT and by SIGQUIT")
  func signals() {
    for number in [SIGINT, SIGTERM, SIGHUP, SIGUSR1] {
      #expect(LaunchedJob.signal(for: number, after: nil) == SIGUSR1)
    }
    for number in [SIGTERM, SIGHUP, SIGUSR1] {
      #expect(LaunchedJob.signal(for: number, after: SIGTERM) == SIGUSR1)
    }
    #expect(LaunchedJob.signal(for: SIGINT, after: SIGINT) == SIGTERM)
    #expect(LaunchedJob.signal(for: SIGQUIT, after: nil) == SIGTERM)
    #expect(LaunchedJob.signal(for: SIGUSR2, after: SIGINT) == SIGUSR2)
  }
}
