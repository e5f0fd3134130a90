import Foundation
import TestSupport
import Testing

@testable import Experiments

@Suite("a program that must not outlive its starter")
struct ChildProcessTests {
  /// Runs `words` with nobody at the other end of its output and errors, after `starting` has seen
  /// what it says first.
  private func run(
    _ path: String, _ words: [String], environment: [String: String],
    starting: (ChildProcess, FileHandle) throws -> Void = { _, _ in }
  ) throws -> ChildProcess.End {
    let pipe = Pipe()
    let output = pipe.fileHandleForWriting.fileDescriptor
    let child = try ChildProcess(
      path, words, environment: environment, output: output, errors: output)
    try pipe.fileHandleForWriting.close()
    try starting(child, pipe.fileHandleForReading)
    try pipe.fileHandleForReading.close()
    return child.wait()
  }

  @Test("goes on when nobody reads what it says")
  func unread() throws {
    let script = "while kill -0 $PPID; do echo more || exit 3; done"
    let end = try run("/bin/sh", ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"])
    #expect(end == .exit(3))
  }

  @Test("mpirun removes its files though its ranks have last words, which nobody reads")
  func lastWords() throws {
    let folder = try TemporaryDirectory()
    var environment = ProcessInfo.processInfo.environment
    environment["TMPDIR"] = folder.path
    let script = """
      trap 'i=0; while [ $i -lt 400 ]; do echo last words $i; i=$((i + 1)); done; exit 3' TERM
      grep SigIgn: /proc/self/status
      while :; do sleep 0.02; done
      """
    let words = Launch(ranks: 4, command: ["sh", "-c", script])
      .arguments(on: .current, environment: environment)
    let end = try run(
      "/usr/bin/env", ["env", "timeout", "--foreground", "-k", "30", "60"] + words,
      environment: environment
    ) { child, reader in
      var heard = ""
      while heard.components(separatedBy: "SigIgn:").count <= 4 {
        let data = reader.availableData
        try #require(!data.isEmpty, "mpirun has ended: \(heard)")
        heard += String(decoding: data, as: UTF8.self)
      }
      // SIGPIPE is not ignored by the ranks.
      for line in heard.split(separator: "\n") where line.hasPrefix("SigIgn:") {
        let ignored = try #require(
          UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16))
        #expect(ignored >> UInt64(SIGPIPE - 1) & 1 == 0)
      }
      kill(child.id, SIGTERM)
    }
    #expect(end != .signal(SIGPIPE))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(left.filter { $0.hasPrefix("ompi.") } == [])
  }
}
