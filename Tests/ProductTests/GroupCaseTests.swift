import Foundation
import TestSupport
import Testing

extension ProductTests {
  /// Process groups under mpirun, joined by shared memory, by messages, and as two nodes; every
  /// send is synchronous.
  @Suite(.serialized) struct GroupCaseTests {
    private static let joinings = ["shared", "messages", "nodes"]

    /// Every way to reduce; every type and operation; the other collectives; ten thousand calls
    /// back to back, some in flight; memory that does not grow, and is not taken; more ranks than
    /// cores; a rank that is late.
    @Test(
      "every case passes",
      arguments: Thoroughness.cases(Array(1...8), everyday: [2, 3]))
    func passes(ranks: Int) throws {
      let more = [
        2: ["memory", "allocations"], 3: ["memory", "allocations", "late"], 8: ["crowded"],
      ]
      try Launching.expectPassed(
        ["group", "exact", "others", "endless"] + more[ranks, default: []], ranks)
    }

    @Test("calls of different counts end the job, and both are named", arguments: joinings)
    func mismatch(joining: String) throws {
      let result = try Launching.mpirun(4, [Launching.rankCases, "mismatch-\(joining)"])
      #expect(result.status == 1 && !result.isTimedOut, "\(result.errors)")
      let odd = "rank 3 called allreduce(5 x float32, sum)"
      #expect(result.errors.contains(odd), "\(result.errors)")
      #expect(result.errors.contains("called allreduce(4 x float32, sum)"), "\(result.errors)")
    }

    @Test("calls in another order end the job, and both are named", arguments: joinings)
    func order(joining: String) throws {
      let result = try Launching.mpirun(4, [Launching.rankCases, "order-\(joining)"])
      #expect(result.status == 1 && !result.isTimedOut, "\(result.errors)")
      let odd = "rank 3 called broadcast(4 x float32, root 0)"
      #expect(result.errors.contains(odd), "\(result.errors)")
      #expect(result.errors.contains("called allreduce(4 x float32, sum)"), "\(result.errors)")
    }

    @Test("a rank that does not arrive ends the job, and is named", arguments: joinings)
    func missing(joining: String) throws {
      let result = try Launching.mpirun(4, [Launching.rankCases, "missing-\(joining)"])
      #expect(result.status == 1 && !result.isTimedOut, "\(result.errors)")
      #expect(
        isLastNamed(in: result.errors, absentFrom: "allreduce(4 x float32, sum)"),
        "\(result.errors)")
    }

    @Test("a rank that does not come to the start of its group is named", arguments: joinings)
    func absent(joining: String) throws {
      let result = try Launching.mpirun(4, [Launching.rankCases, "absent-\(joining)"])
      #expect(result.status == 1 && !result.isTimedOut, "\(result.errors)")
      #expect(
        isLastNamed(in: result.errors, absentFrom: "the start of its group"), "\(result.errors)")
    }

    /// Whether rank 3 of 4 is said not to have come: on a busy machine others may be late, too.
    private func isLastNamed(in errors: String, absentFrom call: String) -> Bool {
      errors.contains(#/ranks? (\d, )*3 ha(s|ve) not arrived in /#)
        && errors.contains("not arrived in \(call)")
    }

    @Test(
      "where /dev/shm is too small, ranks exchange messages, with one warning",
      .enabled(
        if: SmallDisk.obstacle == nil,
        "no small /dev/shm can be made here: \(SmallDisk.obstacle ?? "")"))
    func fallback() throws {
      let result = try SmallDisk(path: "/dev/shm", size: "3m").run(
        Launching.mpirunWords(4) + [Launching.rankCases, "fallback"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output == "passed fallback on 4\n")
      let warnings = result.errors.split(separator: "\n").filter { $0.hasPrefix("warning: ") }
      #expect(warnings.count == 1, "\(result.errors)")
      #expect(warnings.first?.contains("/dev/shm has 3145728 bytes left") == true)
    }

    @Test(
      "room is looked for in the folder that Open MPI is told to use",
      .enabled(
        if: SmallDisk.obstacle == nil, "no small disk can be made here: \(SmallDisk.obstacle ?? "")"
      ),
      arguments: ["--mca", "environment", "file"])
    func backingDirectory(set: String) throws {
      let (disk, settings) = (try TemporaryDirectory(), try TemporaryDirectory())
      let name = "osc_sm_backing_directory"
      let file = try settings.file("mca-params.conf", "\(name) = \(disk.path)\n")
      let mpirun =
        switch set {
        case "--mca": ["mpirun", "--mca", name, disk.path]
        case "environment": ["env", "OMPI_MCA_\(name)=\(disk.path)", "mpirun"]
        default: ["env", "OMPI_MCA_mca_base_param_files=\(file)", "mpirun"]
        }
      let result = try SmallDisk(path: disk.path, size: "3m").run(
        mpirun + Launching.mpirunWords(4).dropFirst() + [Launching.rankCases, "fallback"])
      #expect(result.output == "passed fallback on 4\n", "\(result.errors)")
      #expect(
        result.errors.contains("\(disk.path) has 3145728 bytes left"), "\(result.errors)")
    }
  }
}
