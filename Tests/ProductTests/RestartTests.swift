import Foundation
import TestSupport
import Testing

extension RefusalTests {
  /// `lockstep launch --restarts`, with a script in the place of mpirun.
  @Suite(.serialized) struct RestartTests {
    private struct Outcome {
      var result: Command.Result
      /// The words of every start.
      var starts: [String]
    }

    /// - Parameters:
    ///   - codes: the exit codes of the starts, one after the other.
    ///   - checkpoints: the step of the checkpoint that each start leaves; none beyond.
    private func launch(
      _ options: [String], codes: [Int], checkpoints: [Int] = [], hosts: String? = nil,
      answering: String = "", train: [String] = []
    ) throws -> Outcome {
      let folder = try TemporaryDirectory()
      _ = try folder.file("small.yaml", smallConfiguration)
      try script(
        folder, "mpirun",
        """
        printf '%s\\n' "$*" >>starts
        for word; do
          [ "$last" != --hostfile ] || tr '\\n' ' ' <"$word" >>hosts-used
          last=$word
        done
        n=$(wc -l <starts)
        step=$(echo \(checkpoints.map(String.init).joined(separator: " ")) | cut -d' ' -f$n)
        mkdir -p run/checkpoints
        [ -z "$step" ] || : >"run/checkpoints/step-$(printf %08d $step).safetensors"
        exit $(echo \(codes.map(String.init).joined(separator: " ")) | cut -d' ' -f$n)
        """)
      try script(folder, "agent", "case \" \(answering) \" in *\" $1 \"*) exit 0 ;; esac; exit 255")
      var words = ["launch"] + options
      if let hosts { words += ["--hostfile", try folder.file("hosts", hosts)] }
      let result = try Launching.alone(
        words + ["train", "small.yaml"] + train,
        environment: [
          "PATH": folder.path + ":/usr/bin:/bin", "OMPI_MCA_plm_rsh_agent": folder.path + "/agent",
        ], directory: folder.path)
      let starts = try String(contentsOfFile: folder.path + "/starts", encoding: .utf8)
      let used = try? String(contentsOfFile: folder.path + "/hosts-used", encoding: .utf8)
      return Outcome(
        result: result,
        starts: starts.split(separator: "\n").map(String.init) + (used.map { [$0] } ?? []))
    }

    private func script(_ folder: TemporaryDirectory, _ name: String, _ text: String) throws {
      let path = try folder.file(name, "#!/bin/sh\n" + text + "\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    @Test("a job that fails is started again, and goes on where it was")
    func restarts() throws {
      let outcome = try launch(
        ["-n", "2", "--restarts", "3"], codes: [69, 74, 0], checkpoints: [100, 250, 300],
        train: ["--set", "training.epochs=2"])
      #expect(outcome.result.status == 0, "\(outcome.result.errors)")
      try #require(outcome.starts.count == 3)
      #expect(!outcome.starts[0].contains("--resume auto"))
      for start in outcome.starts.dropFirst() {
        #expect(
          start.hasSuffix("train small.yaml --set training.epochs=2 --resume auto"), "\(start)")
      }
      #expect(
        outcome.result.errors == """
          lockstep launch: restart 1 of at most 3 in 1 s, from step 100 (exit code 69)
          lockstep launch: restart 2 of at most 3 in 2 s, from step 250 (exit code 74)

          """)
    }

    @Test(
      "a job without progress is given up sooner, and its exit code is the last one's",
      arguments: [(1, [70, 70], 2), (2, [70, 69, 64], 2), (3, [137, 70, 69], 3)]
        as [(Int, [Int], Int)])
    func givenUp(limit: Int, codes: [Int], starts: Int) throws {
      let outcome = try launch(["-n", "2", "--restarts", "\(limit)"], codes: codes)
      #expect(outcome.starts.count == starts, "\(outcome.result.errors)")
      #expect(Int(outcome.result.status) == codes[starts - 1])
    }

    @Test(
      "what would fail again, and what was asked to stop, is not started again",
      arguments: [64, 65, 66, 73, 75, 76])
    func final(code: Int) throws {
      let outcome = try launch(["-n", "2", "--restarts", "3"], codes: [code])
      #expect(outcome.starts.count == 1)
      #expect(Int(outcome.result.status) == code)
      #expect(outcome.result.errors.isEmpty)
    }

    @Test("hosts that do not answer are left out, and ranks with them")
    func hosts() throws {
      let outcome = try launch(
        ["-n", "8", "--restarts", "1"], codes: [69, 0],
        hosts: "a slots=4\nb slots=2\nc slots=2\n", answering: "a c")
      #expect(outcome.result.status == 0, "\(outcome.result.errors)")
      try #require(outcome.starts.count == 3)
      // Six slots are left, and a reproducible run takes a power of two.
      #expect(outcome.starts[0].hasPrefix("-n 8 ") && outcome.starts[1].hasPrefix("-n 4 "))
      #expect(outcome.starts[2] == "a slots=4 b slots=2 c slots=2 a slots=4 c slots=2 ")
      #expect(
        outcome.result.errors.hasSuffix(
          "lockstep launch: warning: without b, no answer: 4 ranks in place of 8\n"),
        "\(outcome.result.errors)")
    }

    @Test("where no host answers, there is nothing to restart on")
    func nobody() throws {
      let outcome = try launch(
        ["-n", "2", "--restarts", "1"], codes: [69, 0], hosts: "a slots=4\n")
      #expect(outcome.result.status == 69)
      #expect(outcome.result.errors.contains("no host of "), "\(outcome.result.errors)")
    }
  }
}
