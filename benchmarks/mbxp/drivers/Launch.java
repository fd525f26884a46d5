import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/**
 * Runs the main method of the class named first and then prints the words found on standard input.
 *
 * They are read before the class is loaded, so that a program that ends early, whatever its exit
 * status, does not print them.
 */
public class Launch {
    public static void main(String[] words) throws Throwable {
        ByteArrayOutputStream token = new ByteArrayOutputStream();
        for (int next = System.in.read(); next >= 0; next = System.in.read()) {
            token.write(next);
        }
        PrintStream output = System.out;
        Method main = Class.forName(words[0]).getMethod("main", String[].class);
        main.setAccessible(true);
        try {
            main.invoke(null, (Object) new String[0]);
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
        System.out.flush();
        output.write(token.toByteArray());
        output.flush();
    }
}
