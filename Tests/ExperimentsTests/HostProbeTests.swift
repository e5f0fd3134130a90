import Foundation
import TestSupport
import Testing

@testable import Experiments

@Suite("hosts that answer")
struct HostProbeTests {
  @Test("a host that refuses, and one that hangs, do not answer; this one is not asked")
  func silent() throws {
    let folder = try TemporaryDirectory()
    let agent = try folder.file(
      "agent",
      """
      #!/bin/sh
      [ "$1" = -q ] && [ "$3" = true ] || exit 1
      case $2 in good) exit 0 ;; slow) exec sleep 600 ;; *) exit 255 ;; esac
      """)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: agent)
    let probe = HostProbe(
      environment: ["OMPI_MCA_plm_rsh_agent": "\(agent) -q : rsh", "PATH": "/usr/bin:/bin"],
      limit: 5)
    #expect(
      probe.silent(among: ["good", "bad", "localhost", "slow", "good"]) == ["bad", "slow"])
  }

  @Test("a hostfile without some hosts keeps the lines of the others")
  func hostfile() throws {
    let folder = try TemporaryDirectory()
    let path = try folder.file("hosts", "a slots=4 # first\n\nb slots=2\nc\n")
    #expect(try Hostfile(path: path).text(without: ["b"]) == "a slots=4 # first\nc\n")
  }
}
