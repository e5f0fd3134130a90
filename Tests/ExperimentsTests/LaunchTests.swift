import Testing
import TestSupport

@testable import Experiments

@Suite("the mpirun line")
struct LaunchTests {
  static let laptop = Machine(cores: 4, isRoot: false, allowsCrossMemoryAttach: true)

  private func words(
    _ ranks: Int, threads: Int = 1, hostfile: String? = nil, on machine: Machine = laptop,
    environment: [String: String] = [:]
  ) -> [String] {
    Launch(
      ranks: ranks, threads: threads, hostfile: hostfile, command: ["lockstep", "train", "c.yaml"]
    ).arguments(on: machine, environment: environment)
  }

  @Test("a rank is bound to as many cores as it has threads, or to none if there are too few")
  func threads() {
    let end = ["lockstep", "train", "c.yaml"]
    for (ranks, threads) in [(1, 2), (2, 2), (1, 3), (1, 4)] {
      #expect(
        words(ranks, threads: threads) == [
          "mpirun", "-n", "\(ranks)", "--oversubscribe", "--map-by", "slot:PE=\(threads)",
          "--bind-to", "core",
        ] + LaunchTests.inMemory + end)
    }
    for (ranks, threads) in [(3, 2), (2, 3), (1, 5)] {
      #expect(
        words(ranks, threads: threads) == [
          "mpirun", "-n", "\(ranks)", "--oversubscribe", "--bind-to", "none", "--mca",
          "mpi_yield_when_idle", "1",
        ] + LaunchTests.inMemory + end)
    }
    #expect(
      words(6, threads: 4, hostfile: "hosts") == [
        "mpirun", "-n", "6", "--hostfile", "hosts", "--map-by", "slot:PE=4", "--bind-to",
        "core:overload-allowed", "--mca", "mpi_yield_when_idle", "1",
      ] + LaunchTests.probing + end)
    let own = ["OMPI_MCA_hwloc_base_binding_policy": "socket"]
    for hostfile in [nil, "hosts"] {
      let words = words(2, threads: 2, hostfile: hostfile, environment: own)
      #expect(!words.contains("--bind-to") && !words.contains("--map-by"))
    }
  }

  @Test("without a hostfile there is room for the cores by the threads, but for one rank at least")
  func slots() throws {
    for (threads, ranks) in [(1, 4), (2, 2), (3, 1), (4, 1), (9, 1)] {
      #expect(
        try Launch.slots(hostfile: nil, threads: threads, on: LaunchTests.laptop) == ranks)
    }
  }

  /// Connections between hosts are probed, so that a host that is gone is noticed.
  private static let probing = [("time", 4), ("intvl", 1), ("probes", 4)].flatMap {
    ["--mca", "oob_tcp_keepalive_\($0.0)", "\($0.1)"]
  }

  /// On one machine no library of a network is opened.
  private static let inMemory = ["--mca", "mtl", "^ofi,psm,psm2"]

  @Test("networks that take whole messages are the user's choice, and for several hosts Open MPI's")
  func networks() {
    let setting = LaunchTests.inMemory
    #expect(words(2).firstRange(of: setting) != nil)
    #expect(!words(2, hostfile: "hosts").contains("mtl"))
    for name in ["OMPI_MCA_mtl", "OMPI_MCA_pml"] {
      #expect(!words(2, environment: [name: "psm2"]).contains("mtl"))
    }
  }

  @Test("as many ranks as cores are bound to them; more are bound to none, and yield")
  func binding() {
    let start = ["mpirun", "-n"]
    let end = ["lockstep", "train", "c.yaml"]
    for ranks in [1, 3, 4] {
      #expect(
        words(ranks) == start + ["\(ranks)", "--oversubscribe", "--bind-to", "core"]
          + LaunchTests.inMemory + end)
    }
    #expect(
      words(5) == start + [
        "5", "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1",
      ] + LaunchTests.inMemory + end)
  }

  @Test("a user's binding policy is left alone")
  func ownBinding() {
    let own = words(2, environment: ["OMPI_MCA_hwloc_base_binding_policy": "socket"])
    #expect(!own.contains("--bind-to"))
    #expect(own.contains("--oversubscribe"))
  }

  @Test("root has to be allowed")
  func root() {
    var machine = LaunchTests.laptop
    #expect(!words(2, on: machine).contains("--allow-run-as-root"))
    machine.isRoot = true
    #expect(words(2, on: machine).filter { $0 == "--allow-run-as-root" }.count == 1)
    #expect(words(2, hostfile: "h", on: machine).contains("--allow-run-as-root"))
  }

  @Test("in a container without cross-memory attach, Open MPI is told not to try")
  func crossMemoryAttach() {
    var machine = LaunchTests.laptop
    let setting = ["--mca", "btl_vader_single_copy_mechanism", "none"]
    #expect(!words(2, on: machine).contains(setting[1]))
    machine.allowsCrossMemoryAttach = false
    let all = words(2, on: machine)
    #expect(all.firstRange(of: setting) != nil)
    #expect(all.suffix(3) == ["lockstep", "train", "c.yaml"])
  }

  @Test("with a hostfile, slots and binding are Open MPI's, and our variables are exported")
  func hostfile() {
    let environment = [
      "LOCKSTEP_TRAINING_SEED": "3", "LOCKSTEP_KERNELS": "avx2", "PATH": "/bin", "XLOCKSTEP_": "1",
    ]
    #expect(
      words(64, hostfile: "hosts", environment: environment) == [
        "mpirun", "-n", "64", "--hostfile", "hosts", "-x", "LOCKSTEP_KERNELS", "-x",
        "LOCKSTEP_TRAINING_SEED", "--mca", "mpi_yield_when_idle", "1",
      ] + LaunchTests.probing + ["lockstep", "train", "c.yaml"])
    // What the user has set stays.
    let set = words(2, hostfile: "h", environment: ["OMPI_MCA_oob_tcp_keepalive_time": "60"])
    #expect(!set.contains("oob_tcp_keepalive_time") && set.contains("oob_tcp_keepalive_probes"))
    #expect(words(2, environment: environment).filter { $0 == "-x" }.count == 2)
  }

  @Test("the command comes last, unchanged")
  func command() {
    let launch = Launch(ranks: 1, command: ["p", "--help", "-n", "a b"])
    #expect(
      launch.arguments(on: LaunchTests.laptop, environment: [:]).suffix(4)
        == ["p", "--help", "-n", "a b"])
  }

  @Test("a shell reads the line as the same words")
  func line() throws {
    let command = [
      "echo", "plain", "", "a b", "it's", "\"x\"", "$HOME", "`id`", "a;b", "*", "~", "a\\b", "a\nb",
      "training.epochs=3", "{a: 1}", "#x", "!y", "é", "(z)", "&", "|", "<", "k='v'",
    ]
    let launch = Launch(ranks: 2, hostfile: "my hosts", command: command)
    let words = launch.arguments(on: LaunchTests.laptop, environment: [:])
    let line = launch.line(on: LaunchTests.laptop, environment: [:])
    #expect(
      line.hasPrefix(
        "mpirun -n 2 --hostfile 'my hosts' --mca mpi_yield_when_idle 1 "
          + LaunchTests.probing.joined(separator: " ") + " echo plain '' 'a b' "))
    let result = try Command(["sh", "-c", "printf '<%s>' \(line)"]).run()
    #expect(result.status == 0)
    #expect(result.output == words.map { "<\($0)>" }.joined())
  }

  @Test("this machine has a core")
  func current() { #expect(Machine.current.cores >= 1) }
}
