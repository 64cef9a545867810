"""For tests: `vgg19 serve` as a child process."""
import signal
import subprocess


class Server:
    def __init__(self, tool, *arguments):
        self.process = subprocess.Popen([tool, "serve", *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        if not self.url.startswith("http://"):
            raise RuntimeError(f"vgg19 serve ended with {self.process.wait()} and no address")

    @property
    def port(self):
        return int(self.url.rstrip("/").rsplit(":", 1)[1])

    def stop(self):
        """Its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        return code
