import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.tools.ToolProvider;

/**
 * Compiles many programs in one virtual machine: CompileMany java|kotlin|scala JOBS.
 *
 * JOBS has one line a program: its folder, then the compiler's arguments, separated by tabs. In the
 * folder are written compile.out (what the compiler said) and last compile.exit (its exit status).
 */
public class CompileMany {
    private static final int OUTPUT_LIMIT = 20000;

    interface Compiler {
        int run(String[] arguments, PrintStream output) throws Exception;
    }

    public static void main(String[] words) throws Exception {
        Switch output = new Switch();
        PrintStream stream = new PrintStream(output, true, StandardCharsets.UTF_8);
        System.setOut(stream);
        System.setErr(stream);
        Compiler compiler = compiler(words[0]);
        List<String> jobs = Files.readAllLines(Path.of(words[1]), StandardCharsets.UTF_8);
        for (String job : jobs) {
            String[] parts = job.split("\t");
            Path folder = Path.of(parts[0]);
            int status;
            try {
                status = compiler.run(Arrays.copyOfRange(parts, 1, parts.length), stream);
            } catch (OutOfMemoryError | StackOverflowError error) {
                stream.println(error);
                status = 3;
            }
            stream.flush();
            Files.write(folder.resolve("compile.out"), output.take());
            Files.writeString(folder.resolve("compile.exit"), String.valueOf(status));
        }
        System.exit(0);
    }

    private static Compiler compiler(String kind) throws Exception {
        switch (kind) {
            case "java":
                return (arguments, out) ->
                    ToolProvider.getSystemJavaCompiler().run(null, out, out, arguments);
            case "kotlin":
                return kotlin();
            default:
                return scala();
        }
    }

    private static Compiler kotlin() throws Exception {
        Class<?> type = Class.forName("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler");
        Method exec = type.getMethod("exec", PrintStream.class, String[].class);
        return (arguments, out) -> {
            Object code = exec.invoke(type.getConstructor().newInstance(), out, arguments);
            return (Integer) code.getClass().getMethod("getCode").invoke(code);
        };
    }

    private static Compiler scala() throws Exception {
        Class<?> type = Class.forName("scala.tools.nsc.MainClass");
        return (arguments, out) -> {
            Object driver = type.getConstructor().newInstance();
            type.getMethod("process", String[].class).invoke(driver, (Object) arguments);
            Object reporter = type.getMethod("reporter").invoke(driver);
            boolean failed = (Boolean) reporter.getClass().getMethod("hasErrors").invoke(reporter);
            return failed ? 1 : 0;
        };
    }

    /** Collects what is written since the last `take`, up to a limit. */
    private static final class Switch extends java.io.OutputStream {
        private ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        @Override
        public synchronized void write(int value) {
            if (bytes.size() < OUTPUT_LIMIT) {
                bytes.write(value);
            }
        }

        synchronized byte[] take() {
            byte[] taken = bytes.toByteArray();
            bytes.reset();
            return taken;
        }
    }
}
